import { Flags } from '@oclif/core'

/** Flags that each command of each plugin has. */
export const commonFlags = {
  color: Flags.string({
    options: ['auto', 'always', 'never'],
    default: 'auto',
    summary: 'colours; NO_COLOR is obeyed',
  }),
  debug: Flags.boolean({ summary: 'show the stack of an error' }),
  // Answered by `route` before a command runs; here for its help.
  help: Flags.boolean({ char: 'h', summary: 'show this' }),
  version: Flags.boolean({ summary: 'print the version' }),
}
