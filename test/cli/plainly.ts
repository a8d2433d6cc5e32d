import type { FakeApi } from '../kit/fake-api/fake-api.ts'
import type { Cli, CliResult } from '../kit/run-cli.ts'

/** A result without what differs from run to run: the server's port, and the launcher's folder as `~`. */
export function plainly(result: CliResult, api: Pick<FakeApi, 'url'>, cli: Cli): CliResult {
  const plain = (text: string): string =>
    text.replaceAll(new URL(api.url).host, '127.0.0.1:PORT').replaceAll(cli.folder, '~')
  return { ...result, stdout: plain(result.stdout), stderr: plain(result.stderr) }
}
