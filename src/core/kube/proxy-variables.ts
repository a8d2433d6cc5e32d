/** The environment's variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A proxy variable in upper or else lower case, as Go reads them; empty where it is not set. */
export function proxyVariable(variables: Variables, name: string): string {
  return variables[name.toUpperCase()] || variables[name.toLowerCase()] || ''
}

/** Whether the environment names any proxy at all. */
export function hasProxyVariables(variables: Variables): boolean {
  return ['http_proxy', 'https_proxy', 'all_proxy'].some((name) => proxyVariable(variables, name) !== '')
}
