import assert from 'node:assert/strict'
import type { Exclusions } from '../../../server/audit-log/config.ts'
import { excludes, type WrittenBy } from '../../../server/audit-log/webhook/predicates.ts'
import { NOBODY } from '../../kit/audit-config.ts'

const CONFIGMAPS = { group: '', version: 'v1', resource: 'configmaps' }
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }

const alice: WrittenBy = {
  resource: CONFIGMAPS,
  namespace: 'shop',
  name: 'web',
  userInfo: {
    username: 'alice',
    groups: ['dev', 'oidc:team-a'],
    extra: { 'example.com/tenant': ['blue', 'green'], scopes: ['a=b'] },
  },
}

describe('what the audit log leaves out', () => {
  const cases: readonly (readonly [
    what: string,
    config: { readonly exclude?: Partial<Exclusions>; readonly include?: Partial<Exclusions> },
    request: WrittenBy,
    excluded: boolean,
  ])[] = [
    ['nothing without exclusions', {}, alice, false],
    ['a user by name', { exclude: { users: ['alice'] } }, alice, true],
    ['not another user', { exclude: { users: ['alic', 'lice', 'bob'] } }, alice, false],
    ['users by a pattern', { exclude: { users: ['al*e'] } }, alice, true],
    ['all users', { exclude: { users: ['*'] } }, alice, true],
    ['no user where there is no name', { exclude: { users: ['*'] } }, { ...alice, userInfo: {} }, false],
    ['a group', { exclude: { groups: ['oidc:team-*'] } }, alice, true],
    ['a namespace', { exclude: { namespaces: ['sh*p'] } }, alice, true],
    ['a pattern is no regular expression', { exclude: { namespaces: ['s.op'] } }, alice, false],
    ['a pattern whose ends overlap', { exclude: { users: ['ali*lice'] } }, alice, false],
    [
      'a namespace that is itself changed',
      { exclude: { namespaces: ['shop'] } },
      { ...alice, resource: NAMESPACES, namespace: '', name: 'shop' },
      true,
    ],
    ['a value of extra', { exclude: { extra: ['example.com/tenant=gr*'] } }, alice, true],
    ['a value of extra with an equals sign', { exclude: { extra: ['scopes=a=b'] } }, alice, true],
    ['not another key of extra', { exclude: { extra: ['tenant=green'] } }, alice, false],
    ['nothing that is included', { include: { users: ['alice', 'bob'] } }, alice, false],
    ['what is not included', { include: { users: ['bob'] } }, alice, true],
    [
      'what lacks one of the kinds that are set',
      { include: { users: ['alice'], namespaces: ['pay'] } },
      alice,
      true,
    ],
    [
      'what is included and excluded',
      { include: { users: ['alice'] }, exclude: { groups: ['dev'] } },
      alice,
      true,
    ],
  ]
  for (const [what, { exclude, include }, request, excluded] of cases) {
    it(`${what}: ${excluded ? 'out' : 'in'}`, () => {
      const config = { auditExclude: { ...NOBODY, ...exclude }, auditInclude: { ...NOBODY, ...include } }
      assert.equal(excludes(config, request), excluded)
    })
  }
})
