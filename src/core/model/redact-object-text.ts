import { assignedTo } from './redact-object-assigned.ts'
import { judgeName } from './redact-object-names.ts'
import { hasLongRun, isRedacted, isReference, type Mark, redactForms } from './redact-object-values.ts'

/** By what credentials are known in a text, besides their form. */
export interface TextRules {
  /** Long runs that only randomness writes are credentials. */
  readonly random: boolean
  /** What a name of a credential is given is one. */
  readonly names: boolean
}

/** Every name of a credential holds one of these. */
const STEM =
  /pass|pwd|secret|token|key|cred|auth|dsn|conn(?:ection)?[-_.]?str|sig(?==)|(?<=[-_.])pat(?![a-z])|jwt|jwk|(?<![a-z])otp|mnemonic|cookie|bearer|netrc|docker-?c/gi

/** What can hold a credential at all; everything else is not looked at again. */
const SUSPICIOUS =
  /pass|pwd|secret|token|key|cred|auth|dsn|conn(?:ection)?[-_.]?str|sig(?==)|(?<=[-_.])pat(?![a-z])|jwt|jwk|(?<![a-z])otp|mnemonic|cookie|bearer|basic|netrc|docker-?c|@|eyJ|A3T|AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_|gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas)-|xox|xapp|hooks\.|webhooks|[rs]k_|whsec|AIza|ya29|GOCSPX|npm_|pypi-|dckr_|SG\.|hv[sbr]\.|sk-|glsa_|glc_|do[opr]_v1|AGE-|atlasv1|SK[0-9a-f]{32}/i

const NAME_CHARACTER = /[\w.-]/
/** A text that holds more is not worth the time that it takes: none of it is kept. */
const MAX_MARKS = 1000
/** How often a text is gone over until nothing more is found in it. */
const MAX_PASSES = 4

/**
 * The text with every credential gone that it holds: only the credential's own part of a line, so that what else changed
 * in it is still seen. Gone over again until nothing more is found, so that a second time finds nothing.
 */
export function redactText(text: string, mark: Mark, { random, names }: TextRules): string {
  if (isInnocent(text, random)) return text
  // A manifest of a Secret in a text: all of its values are values of a Secret.
  if (/\bkind["']?\s*:\s*["']?Secret\b/.test(text) && /data["']?\s*:/i.test(text)) return mark(text)
  let before = text
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    let left = MAX_MARKS
    const counted: Mark = (value) => (left-- > 0 ? mark(value) : value)
    const after = redactForms(names ? redactAssigned(before, counted) : before, counted, random)
    if (left < 0) break
    if (after === before) return after
    before = after
  }
  return mark(text)
}

function isInnocent(text: string, random: boolean): boolean {
  // A short word is neither a known form nor does it give a name a value.
  if (text.length < 20 && !/[\s=:>@]/.test(text)) return true
  return !(random && text.length >= 40 && hasLongRun(text)) && !SUSPICIOUS.test(text)
}

/** Takes out what is given to a name that is a credential's: in YAML, JSON, properties, XML, queries and flags. */
function redactAssigned(text: string, mark: Mark): string {
  const stem = new RegExp(STEM)
  let result = ''
  let copied = 0
  let marks = 0
  for (let hit = stem.exec(text); hit && marks <= MAX_MARKS; hit = stem.exec(text)) {
    let start = hit.index
    while (start > copied && NAME_CHARACTER.test(text.charAt(start - 1))) start -= 1
    let end = hit.index + hit[0].length
    while (end < text.length && NAME_CHARACTER.test(text.charAt(end))) end += 1
    stem.lastIndex = end
    const name = text.slice(start, end)
    if (judgeName(name) !== 'credential') continue
    for (const span of assignedTo(text, { start, end })) {
      const value = text.slice(span.start, span.end)
      if (span.start < copied || isRedacted(value) || isReference(value) || isPlace(value)) continue
      result += text.slice(copied, span.start) + mark(value)
      copied = span.end
      marks += 1
      stem.lastIndex = Math.max(stem.lastIndex, copied)
    }
  }
  return copied === 0 ? text : result + text.slice(copied)
}

/** Where a secret is mounted is no secret. */
function isPlace(value: string): boolean {
  return /^\/(?:etc|var|run|mnt|opt|home|secrets?|tmp|srv|usr|vault|data|app|config|certs?|keys|root|ssl|tls|credentials)\/[\w./-]*$/.test(
    value,
  )
}
