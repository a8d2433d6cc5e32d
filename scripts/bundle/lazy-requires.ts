const TOP_LEVEL_REQUIRE = /^const (\w+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm

/**
 * Rewrites the top-level requires of a CommonJS file as TypeScript emits it into memoised getters, so that loading
 * the file loads nothing else until it is used.
 */
export function makeRequiresLazy(source: string): string {
  const names: string[] = []
  const lazy = source.replace(TOP_LEVEL_REQUIRE, (_, name: string, value: string) => {
    names.push(name)
    return `let $${name}; const $get_${name} = () => $${name} ??= ${value};`
  })
  return names.reduce(
    // The parentheses keep `new errors_1.CLIError()` a construction of what the getter gives.
    (text, name) => text.replace(new RegExp(`(?<![.\\w$'"/])${name}(?![\\w$'"/])`, 'g'), `($get_${name}())`),
    lazy,
  )
}
