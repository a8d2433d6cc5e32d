'use strict'
// Kept to what Node 6 can parse, so that an old Node gets a sentence and not a syntax error.
const required = [24, 15]
const found = process.versions.node.split('.').map(Number)
if (found[0] < required[0] || (found[0] === required[0] && found[1] < required[1])) {
  process.stderr.write(
    'error: deckwatch needs Node ' +
      required.join('.') +
      ' or newer; this is Node ' +
      process.versions.node +
      '\n',
  )
  process.exitCode = 3
} else {
  const path = require('node:path')
  const xdg = process.env.XDG_CACHE_HOME
  const cache = xdg && path.isAbsolute(xdg) ? xdg : path.join(require('node:os').homedir(), '.cache')
  // Compiled code kept between runs saves about 12 ms of each start; a folder that cannot be written is ignored.
  require('node:module').enableCompileCache(path.join(cache, 'deckwatch', 'node-compile-cache'))
  require('../dist/deckwatch.cjs')
}
