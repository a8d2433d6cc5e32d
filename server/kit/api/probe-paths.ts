import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApiOptions } from './api-options.ts'
import { answerJson, answerText } from './answer.ts'

/** Answers /livez, /readyz and /statusz, to anybody: kubelets have no certificate. False where it is another path. */
export async function answerProbe(
  request: IncomingMessage,
  response: ServerResponse,
  { path, query }: { readonly path: string; readonly query: string },
  { health, status }: Pick<ApiOptions, 'health' | 'status'>,
): Promise<boolean> {
  switch (path) {
    case '/livez':
    case '/readyz': {
      const verbose = new URLSearchParams(query).has('verbose')
      const { ok, text } = health.answer(path === '/livez' ? 'livez' : 'readyz', { verbose })
      answerText(response, ok ? 200 : 500, text)
      return true
    }
    case '/statusz':
      await answerJson(request, response, JSON.stringify(await status()))
      return true
    default:
      return false
  }
}
