import { stopShared } from './shared.ts'

/** For mocha's `--require`: ends what the suites shared. */
export const mochaGlobalTeardown = stopShared
