import { connect, createServer } from 'node:net'

// `node relay.ts ADDRESS PORT` passes connections to ADDRESS:PORT on to 127.0.0.1:PORT, so that the node and its pods
// reach the API server. A process of its own: a test that waits for kubectl synchronously would block it, and kubectl
// waits for the kubelet, which asks the API server.
const [address = '', port = ''] = process.argv.slice(2)

createServer((inbound) => {
  const outbound = connect(Number(port), '127.0.0.1')
  for (const [socket, other] of [
    [inbound, outbound],
    [outbound, inbound],
  ] as const) {
    socket.pipe(other)
    // What breaks on one side breaks on the other.
    socket.once('error', () => other.destroy())
    socket.once('close', () => other.destroy())
  }
}).listen(Number(port), address)
