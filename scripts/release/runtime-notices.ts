import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Notice } from '../bundle/notices.ts'

const BUN_TEXT = `Bun is under the MIT licence; Copyright (c) Oven-sh and the authors of Bun.
Its sources and the licences of all libraries linked into it: https://github.com/oven-sh/bun, LICENSE.md at the tag
of this version. Among those libraries are JavaScriptCore (https://github.com/oven-sh/WebKit) and TinyCC, which are
under the GNU Lesser General Public License, version 2.1 of which follows. To run deckwatch on a Bun that you have
changed and relinked, build deckwatch from its own sources and give your executable to the compiler with
--compile-executable-path, as scripts/bundle/compile.ts does.`

/** What must be said of the Bun executable that a compiled program stands on. */
export async function bunNotice(root: string, version: string): Promise<Notice> {
  const lgpl = await readFile(join(root, 'scripts/release/LGPL-2.1.txt'), 'utf8')
  const mit = await readFile(join(root, 'scripts/release/MIT.txt'), 'utf8')
  return {
    name: 'Bun',
    version,
    licence: 'MIT AND LGPL-2.1-or-later',
    text: `${BUN_TEXT}\n\n${mit.trim()}\n\n${lgpl.trim()}`,
  }
}

/** What must be said of an official Node binary, in Node's own words. */
export function nodeNotice(version: string, licence: string): Notice {
  return { name: 'Node.js', version, licence: 'MIT and others', text: licence.trim() }
}
