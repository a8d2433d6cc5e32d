/** What Node listens on for an address such as `:10250`, `127.0.0.1:0` or `[::1]:10250`; all interfaces without a host. */
export function listenAddress(address: string): { readonly port: number; readonly host?: string } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address) ?? []
  if (port === undefined) throw new Error(`"${address}" is no address such as :10250`)
  const host = bracketed ?? plain ?? ''
  return { port: Number(port), ...(host === '' ? {} : { host }) }
}
