import { createServer } from 'node:https'

/** The least that a program can do for idle clients: a bare server that holds their TLS connections. */
const server = createServer(
  { cert: process.env['BARE_CERT'], key: process.env['BARE_KEY'] },
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
  },
)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address) console.log(address.port)
})
