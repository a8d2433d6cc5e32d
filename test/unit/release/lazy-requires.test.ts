import assert from 'node:assert/strict'
import { createContext, runInContext } from 'node:vm'
import { makeRequiresLazy } from '../../../scripts/bundle/lazy-requires.ts'

describe('lazy requires', () => {
  const run = (source: string) => {
    const loaded: string[] = []
    const exports: Record<string, () => unknown> = {}
    const modules: Record<string, unknown> = {
      './errors': { CLIError: Date, code: () => 2 },
      './cache': { default: { size: 1 } },
    }
    const require = (name: string): unknown => {
      loaded.push(name)
      return modules[name]
    }
    runInContext(makeRequiresLazy(source), createContext({ require, exports }))
    return { loaded, exports }
  }

  const source = [
    '"use strict";',
    'const errors_1 = require("./errors");',
    'const cache_1 = __importDefault(require("./cache"));',
    'const errors_12 = require("./missing");',
    'function __importDefault(mod) { return mod.__esModule ? mod : { default: mod.default } }',
    'exports.fail = () => new errors_1.CLIError();',
    'exports.code = () => (0, errors_1.code)();',
    'exports.size = () => cache_1.default.size;',
  ].join('\n')

  it('load nothing before it is used, and each thing once', () => {
    const { loaded, exports } = run(source)
    assert.deepEqual(loaded, [])
    assert.equal(exports['size']?.(), 1)
    assert.equal(exports['size']?.(), 1)
    assert.deepEqual(loaded, ['./cache'])
  })

  it('keep constructions and calls what they were', () => {
    const { loaded, exports } = run(source)
    assert.ok(exports['fail']?.() instanceof Date)
    assert.equal(exports['code']?.(), 2)
    assert.deepEqual(loaded, ['./errors'])
  })

  it('leave requires inside functions alone', () => {
    const inner = 'function f() {\n    const path = require("node:path");\n    return path;\n}'
    assert.equal(makeRequiresLazy(inner), inner)
  })
})
