import { get } from 'node:https'

/**
 * The least that a program can do about a list: one GET of URL with a client certificate, in protobuf, thrown away; over
 * Bun's fetch under Bun, over node:https under Node.
 */
async function bareGet(): Promise<void> {
  const { BARE_URL: url = '', BARE_CA: ca = '', BARE_CERT: cert = '', BARE_KEY: key = '' } = process.env
  const headers = { accept: 'application/vnd.kubernetes.protobuf' }
  let bytes = 0
  if (process.versions.bun === undefined) {
    const answer = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
      get(url, { ca, cert, key, headers }, resolve).once('error', reject)
    })
    for await (const chunk of answer) bytes += chunk.length
  } else {
    const init: RequestInit & { readonly tls: object } = {
      headers: { ...headers, 'accept-encoding': 'identity' },
      tls: { ca, cert, key },
    }
    const { body } = await fetch(url, init)
    if (body) for await (const chunk of body) bytes += chunk.length
  }
  console.log(`${bytes} bytes`)
}

void bareGet()
