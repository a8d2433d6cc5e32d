import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { parseQuery } from '../../../server/kit/api/query.ts'
import { parseLabelSelector, selectedName, selects } from '../../../server/kit/api/selectors.ts'
import { MemoryResource } from '../../kit/aggregated/memory-resource.ts'

/** The status and message with which a query is refused. */
function refusal(query: string): string | undefined {
  try {
    parseQuery(query)
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.message}`
    throw error
  }
}

describe('the query of a list or watch', () => {
  it('is empty by default', () => {
    assert.deepEqual(parseQuery(''), {
      watch: false,
      limit: 0,
      continue: '',
      resourceVersion: '',
      resourceVersionMatch: '',
      allowWatchBookmarks: false,
      sendInitialEvents: undefined,
      timeoutSeconds: undefined,
      sinceTime: undefined,
      untilTime: undefined,
      perObject: undefined,
      fields: [],
      labels: [],
    })
  })

  it('takes for true what kube-apiserver takes for true', () => {
    for (const [text, expected] of [
      ['watch=true', true],
      ['watch=1', true],
      ['watch', true],
      ['watch=no', true],
      ['watch=0', false],
      ['watch=FALSE', false],
      ['watch=false&watch=true', false],
    ] as const) {
      assert.equal(parseQuery(text).watch, expected, text)
    }
  })

  it('reads times with any zone', () => {
    assert.equal(
      parseQuery('sinceTime=2026-11-21T03:14:07%2B01:00').sinceTime,
      Date.UTC(2026, 10, 21, 2, 14, 7),
    )
  })

  it('reads how many records of each thing are wanted, and until when', () => {
    const { perObject, untilTime } = parseQuery('perObject=3&untilTime=2026-11-21T02:00:00Z')
    assert.deepEqual([perObject, untilTime], [3, Date.UTC(2026, 10, 21, 2)])
  })

  for (const [query, expected] of [
    ['perObject=0', /^400 perObject: Invalid value: "0": must be greater than 0/],
    ['untilTime=tomorrow', /^400 untilTime/],
    ['limit=many', /^400 limit: Invalid value: "many"/],
    ['timeoutSeconds=1.5', /^400 timeoutSeconds/],
    ['resourceVersion=abc', /^400 resourceVersion: Invalid value: "abc"/],
    ['resourceVersion=-1', /^400/],
    ['sinceTime=yesterday', /^400 sinceTime/],
    ['sinceTime=2026-13-41T00:00:00Z', /^400 sinceTime/],
    ['resourceVersionMatch=Newest&resourceVersion=1', /^422 .*supported values: "Exact", "NotOlderThan"/],
    ['resourceVersionMatch=Exact', /^422 .*unless resourceVersion is provided/],
    ['resourceVersionMatch=Exact&resourceVersion=0', /^422 /],
    ['resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x', /^422 .*when continue is provided/],
    ['sendInitialEvents=true', /^422 .*for list/],
    ['watch=1&sendInitialEvents=true', /^422 /],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=Exact', /^422 .*supported values: "NotOlderThan"/],
    ['watch=1&resourceVersionMatch=NotOlderThan', /^422 .*unless sendInitialEvents is provided/],
    ['fieldSelector=metadata.name', /^400 invalid selector/],
    ['fieldSelector=a%3Db%3Dc', /^400 invalid field selector/],
    ['fieldSelector=a%3Db%5Cc', /^400 invalid field selector/],
    ['labelSelector=a+in+b', /^400 unable to parse requirement/],
    ['labelSelector=%21', /^400 /],
    ['labelSelector=a%3D-b', /^400 .*invalid label value/],
    ['labelSelector=a%3Eb', /^400 .*whole number/],
  ] as const) {
    it(`is refused: ${query}`, () => {
      assert.match(refusal(query) ?? 'taken', expected)
    })
  }

  it('is read or refused with 400 or 422, whatever it is', () => {
    const name = fc.constantFrom(
      'watch',
      'limit',
      'resourceVersion',
      'resourceVersionMatch',
      'fieldSelector',
      'labelSelector',
      'sinceTime',
      'untilTime',
      'perObject',
      'timeoutSeconds',
      'sendInitialEvents',
      'continue',
      'x',
    )
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '%ff',
        '%',
        'a=b,c!=d',
        'a in (b',
        '!',
        '(,)',
        '1e9',
        '9'.repeat(40),
        '\\',
        'Exact',
        '+1',
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.boolean(), (pairs, encode) => {
        const query = pairs.map(
          ([key, text]) => `${key}=${encode ? encodeURIComponent(wellFormed(text)) : text}`,
        )
        assert.match(refusal(query.join('&')) ?? '400 taken', /^4(?:00|22) /)
      }),
      { numRuns: 3000 },
    )
  })
})

function wellFormed(text: string): string {
  return text.toWellFormed()
}

describe('selectors', () => {
  const widgets = new MemoryResource()
  const object = widgets.put({
    name: 'a',
    namespace: 'shop',
    color: 'r,e=d\\',
    labels: { app: 'web', tier: '3', 'example.org/x': '' },
  })
  const isSelected = (query: string): boolean => selects(parseQuery(query), object, widgets.resource)
  const byLabel = (selector: string): boolean => isSelected(`labelSelector=${encodeURIComponent(selector)}`)
  const byField = (selector: string): boolean => isSelected(`fieldSelector=${encodeURIComponent(selector)}`)

  it('of labels are those of kubectl', () => {
    for (const selector of [
      'app=web',
      'app==web',
      ' app = web , tier',
      'app!=db',
      'missing!=db',
      '!missing',
      'app in (db, web)',
      'app notin (db)',
      'missing notin (db)',
      'tier>2',
      'tier<4',
      'example.org/x=',
      'example.org/x in (,y)',
      '',
    ]) {
      assert.ok(byLabel(selector), selector)
    }
    for (const selector of [
      'app=db',
      'app!=web',
      '!app',
      'missing',
      'app in (db)',
      'app notin (web)',
      'app>1',
      'tier>3',
      'constructor',
      'app=web,missing',
    ]) {
      assert.ok(!byLabel(selector), selector)
    }
  })

  it('of fields know names, namespaces and what the resource offers, with escapes', () => {
    for (const selector of [
      'metadata.name=a',
      'metadata.namespace==shop',
      'metadata.name!=b',
      String.raw`spec.color=r\,e\=d\\`,
      'metadata.name=a,metadata.namespace=shop',
    ]) {
      assert.ok(byField(selector), selector)
    }
    assert.ok(!byField('metadata.name!=a'))
    assert.ok(!byField('spec.color=blue'))
  })

  it('have no thousands of requirements, each of which is looked at for each object', () => {
    for (const [parameter, term] of [
      ['fieldSelector', 'metadata.name!=a'],
      ['labelSelector', 'app!=a'],
    ] as const) {
      const query = (count: number): string =>
        new URLSearchParams({ [parameter]: Array.from({ length: count }, () => term).join(',') }).toString()
      parseQuery(query(100))
      assert.throws(
        () => parseQuery(query(101)),
        (error) => error instanceof ApiError && error.status === 400 && /more than 100/.test(error.message),
      )
    }
  })

  it('name one object where RBAC may allow just that', () => {
    assert.equal(selectedName(parseQuery('fieldSelector=metadata.name%3Da').fields), 'a')
    assert.equal(selectedName(parseQuery('fieldSelector=metadata.name!%3Da').fields), undefined)
  })

  it('in and notin divide all objects between them', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,3}$/)
    fc.assert(
      fc.property(word, fc.array(word, { minLength: 1, maxLength: 3 }), (value, values) => {
        const labelled = widgets.put({ name: 'p', namespace: 'shop', labels: { k: value } })
        const [isIn, isNotIn] = ['in', 'notin'].map((operator) =>
          selects(
            { fields: [], labels: parseLabelSelector(`k ${operator} (${values.join(',')})`) },
            labelled,
            widgets.resource,
          ),
        )
        assert.equal(isIn, values.includes(value))
        assert.equal(isNotIn, !values.includes(value))
      }),
    )
  })
})
