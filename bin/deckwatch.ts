import { basename } from 'node:path'
import { main } from '../src/cli/commands/main.ts'

// One file serves every plugin, so the name it is called by chooses the command. Under Node that is the script's path.
// In a binary compiled by Bun argv[1] is a path inside the binary, argv[0] is "bun" and execPath the real file behind
// kubectl's symlink: there only argv0 keeps the name.
const script = process.argv[1] ?? ''
const calledAs = /[\\/](?:\$bunfs|~BUN)[\\/]/.test(script) ? process.argv0 : script
const name = basename(calledAs.replaceAll('\\', '/')).replace(/\.(?:exe|cjs|ts)$/i, '')

void main({ name, argv: process.argv.slice(2) })
