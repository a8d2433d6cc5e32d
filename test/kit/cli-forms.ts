import { Cli, type CliForm, whyNoForm } from './run-cli.ts'
import { skip } from './skip.ts'

/** The forms in which people install it; the suite runs over both. */
const INSTALLED_FORMS: readonly (readonly [form: CliForm, name: string])[] = [
  ['bundle', 'the bundle on Node'],
  ['binary', 'the compiled binary'],
]

/** Declares the same tests for each form that people install; `cli` gives the form's launcher while a test runs. */
export function describeForms(title: string, tests: (cli: () => Cli) => void): void {
  for (const [form, name] of INSTALLED_FORMS) {
    describe(`${title}: ${name}`, () => {
      let cli: Cli | undefined
      before(async function () {
        const reason = whyNoForm(form)
        if (reason !== undefined) skip(this, reason)
        cli = await Cli.create(form)
      })
      after(() => cli?.stop())
      tests(() => {
        if (!cli) throw new Error('the launcher exists while tests run')
        return cli
      })
    })
  }
}
