import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { krewViolations } from '../../../scripts/krew-rules.ts'
import { krewManifests, type Archive } from '../../../scripts/release/krew-manifests.ts'
import { archiveName, TARGETS } from '../../../scripts/release/targets.ts'

const template = readFileSync(new URL('../../../krew-manifest.yaml', import.meta.url), 'utf8')
const archives: readonly Archive[] = TARGETS.map((target, i) => ({
  target,
  name: archiveName(target, '1.2.3'),
  sha256: String(i).repeat(64),
}))

/** The few fields that the cases change. */
interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: Record<string, unknown> & {
    platforms: {
      selector: { matchLabels: Record<string, string> }
      uri: string
      sha256: string
      bin: string
    }[]
  }
}

describe('krew manifests', () => {
  it('are one per plugin, each with every archive and its sum', () => {
    const manifests = krewManifests(template, '1.2.3', archives)
    assert.deepEqual([...manifests.keys()], ['blame.yaml', 'images.yaml', 'deckwatch.yaml'])
    for (const text of manifests.values()) {
      assert.doesNotMatch(text, /VERSION|SHA256|ARCHIVE|PROGRAM|#/)
      assert.deepEqual(parse(text).spec.platforms[4], {
        selector: { matchLabels: { os: 'windows', arch: 'amd64' } },
        uri: 'https://github.com/deckwatch/deckwatch/releases/download/v1.2.3/deckwatch-1.2.3-windows-amd64.zip',
        sha256: '4'.repeat(64),
        bin: 'deckwatch.exe',
      })
      assert.equal(parse(text).spec.platforms.length, TARGETS.length)
    }
  })

  it('are refused where a plugin breaks a rule of krew', () => {
    const wordy = template.replace('Show which images', 'With kubectl show which images')
    assert.throws(
      () => krewManifests(wordy, '1.2.3', archives),
      /images\.yaml breaks krew's rules: shortDescription/,
    )
    assert.throws(() => krewManifests(template, '1.2', archives), /version is not a semantic one/)
    assert.throws(() => krewManifests('metadata: {name: x}', '1.2.3', archives), /entry of platforms/)
    assert.throws(() => krewManifests('a: [', '1.2.3', archives), /krew-manifest\.yaml: /)
  })
})

describe('the rules of krew', () => {
  const sound = (): Manifest => parse(krewManifests(template, '1.2.3', archives).get('images.yaml') ?? '')

  const platform = ({ spec }: Manifest, index: number) => {
    const found = spec.platforms[index]
    assert.ok(found)
    return found
  }

  it('find nothing in a sound manifest', () => {
    assert.deepEqual(krewViolations('images.yaml', sound()), [])
  })

  const cases: readonly (readonly [string, (manifest: Manifest) => unknown, RegExp])[] = [
    ['an unknown API version', (m) => (m.apiVersion = 'v1'), /apiVersion/],
    ['another kind', (m) => (m.kind = 'Plugins'), /kind/],
    ['a name in capitals', (m) => (m.metadata.name = 'Images'), /lower-case kebab/],
    ['a name that begins with kube', (m) => (m.metadata.name = 'kube-images'), /begins with kube/],
    ['a file of another name', (m) => (m.metadata.name = 'imgs'), /the file is images\.yaml, not imgs\.yaml/],
    ['a version without v', (m) => (m.spec['version'] = '1.2.3'), /version is not/],
    ['a plain http homepage', (m) => (m.spec['homepage'] = 'http://x.test'), /homepage/],
    ['a long short description', (m) => (m.spec['shortDescription'] = 'x'.repeat(51)), /has 51 characters/],
    ['no short description', (m) => (m.spec['shortDescription'] = ''), /shortDescription is missing/],
    [
      'kubectl in the short description',
      (m) => (m.spec['shortDescription'] = 'A Kubectl thing'),
      /says kubectl/,
    ],
    ['a full stop in it', (m) => (m.spec['shortDescription'] = 'Shows images.'), /without a full stop/],
    ['no description', (m) => (m.spec['description'] = ' \n'), /description is missing/],
    ['a usage list', (m) => (m.spec['description'] = 'Fine.\n\nUsage:\n  x\n'), /usage list/],
    ['command lines', (m) => (m.spec['description'] = 'Fine.\n  $ kubectl images -A\n'), /command lines/],
    ['a long line', (m) => (m.spec['caveats'] = 'y'.repeat(81)), /caveats has a line of 81/],
    ['no platforms', (m) => (m.spec.platforms = []), /no platforms/],
    ['an unknown system', (m) => (platform(m, 0).selector.matchLabels['os'] = 'plan9'), /no known os/],
    [
      'a platform twice',
      (m) => (platform(m, 1).selector.matchLabels['arch'] = 'amd64'),
      /linux\/amd64 stands twice/,
    ],
    ['a plain http archive', (m) => (platform(m, 0).uri = 'http://x.test/v1.2.3/a.zip'), /no https uri/],
    [
      'an archive of another kind',
      (m) => (platform(m, 0).uri = 'https://x.test/v1.2.3/a.tar.xz'),
      /not unpack/,
    ],
    [
      'an archive of another version',
      (m) => (platform(m, 0).uri = 'https://x.test/v1.2.2/a.zip'),
      /another version/,
    ],
    ['a sum that is none', (m) => (platform(m, 0).sha256 = 'SHA256'), /no sha256/],
    ['a program outside the archive', (m) => (platform(m, 0).bin = '../sh'), /names no program/],
    [
      'a Windows program without .exe',
      (m) => (platform(m, 4).bin = 'deckwatch'),
      /windows\/amd64 has a program/,
    ],
  ]
  for (const [title, breakIt, expected] of cases) {
    it(`find ${title}`, () => {
      const manifest = sound()
      breakIt(manifest)
      const found = krewViolations('images.yaml', manifest)
      assert.ok(
        found.some((sentence) => expected.test(sentence)),
        found.join('\n') || 'nothing was found',
      )
    })
  }

  it('find everything missing in an empty file', () => {
    assert.ok(krewViolations('images.yaml', null).length >= 8)
  })
})
