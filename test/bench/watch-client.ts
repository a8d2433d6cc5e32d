import { Agent, get, type AgentOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'

/** Watches of one API server, each on a connection of its own, as separate clients have. */
export class WatchClient {
  readonly #url: string
  readonly #agent: Agent
  readonly #answers: IncomingMessage[] = []

  constructor(url: string, tls: Pick<AgentOptions, 'ca' | 'cert' | 'key'>) {
    this.#url = url
    this.#agent = new Agent({ ...tls, keepAlive: false })
  }

  /** Opens one watch, resolves when it is accepted; `onLine` gets each event's line, none is kept. */
  open(path: string, onLine: (line: string) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      get(new URL(path, this.#url), { agent: this.#agent }, (answer) => {
        if (answer.statusCode !== 200) {
          answer.resume()
          return reject(new Error(`watch of ${path}: ${answer.statusCode}`))
        }
        this.#answers.push(answer)
        createInterface({ input: answer }).on('line', onLine)
        resolve()
      }).once('error', reject)
    })
  }

  /** Ends all of them. */
  close(): void {
    for (const answer of this.#answers) answer.destroy()
    this.#agent.destroy()
  }
}
