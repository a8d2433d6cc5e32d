import { DeckError } from '../../../core/lib/errors.ts'

// What RE2 writes differently from JavaScript (github.com/google/re2/wiki/Syntax), as far as people use it.
const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
}
const ANCHORS: Readonly<Record<string, string>> = { A: '(?<![\\s\\S])', z: '(?![\\s\\S])' }

// JavaScript takes a letter after a backslash that it does not know for the letter itself: a silent wrong answer.
const KNOWN_ESCAPE = /^[bBcdDfknrsStuvwWx\d\W_]/

/**
 * Reads REGEX as kubectl-images does, in RE2's syntax: flags at the start, `\A`, `\z`, `\Q…\E`, `[[:digit:]]`,
 * `(?P<name>…)`. What neither knows is a DeckError USAGE, never a regular expression of another meaning.
 */
export function parseRegex(regex: string): RegExp {
  const [, flags = '', source = regex] = /^\(\?([ims]+)\)(.*)$/s.exec(regex) ?? []
  try {
    return new RegExp(translated(source), flags)
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message.replace(/^Invalid regular expression: (?:.*: )?/s, '') : ''
    throw new DeckError('USAGE', `REGEX ${JSON.stringify(regex)} is no regular expression: ${reason}`, {
      hint: 'Quote it for the shell, and write \\ before a character that stands for itself: nginx\\+php',
      cause,
    })
  }
}

function translated(source: string): string {
  return source
    .replaceAll(/\\Q(.*?)(?:\\E|$)/gs, (_, literal: string) =>
      literal.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
    )
    .replaceAll(/\[:(\^?)([a-z]+):\]/g, (whole, negated: string, name: string) => {
      const members = POSIX_CLASSES[name]
      if (members === undefined || negated) throw new SyntaxError(`there is no class ${whole}`)
      return members
    })
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\\([\s\S])/g, (whole, next: string) => {
      const anchor = ANCHORS[next]
      if (anchor !== undefined) return anchor
      if (!KNOWN_ESCAPE.test(next)) throw new SyntaxError(`${whole} has no meaning`)
      return whole
    })
}
