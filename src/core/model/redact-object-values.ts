/** Gives what is kept in place of a value. */
export type Mark = (value: string) => string

/** What every value that is not kept begins with. */
export const REDACTED = 'redacted:'

const WHOLE_MARK = /^redacted:[0-9a-f]{16}$/

/** Whether a value stands for one that was not kept. */
export function isRedacted(value: unknown): boolean {
  return typeof value === 'string' && WHOLE_MARK.test(value)
}

/**
 * Forms of credentials that are known by themselves. Each begins only where no character of its own kind stands before
 * it, and is bounded, so that no text makes the search slower than linear.
 */
const FORMS = new RegExp(
  [
    // JSON Web Tokens (RFC 7519), also unfinished ones.
    '(?<![\\w-])eyJ[\\w-]{8,}\\.[\\w-]{4,}(?:\\.[\\w-]*)*',
    // Amazon access key ids.
    '(?<![A-Za-z0-9])(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])',
    // GitHub, GitLab.
    '(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{20,255}',
    '(?<!\\w)github_pat_\\w{20,255}',
    '(?<![\\w-])gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas)-[\\w.-]{16,255}',
    // Slack, Discord.
    '(?<![A-Za-z0-9])xox[a-z](?:\\.xox[a-z])?-[A-Za-z0-9-]{8,255}',
    '(?<![A-Za-z0-9])xapp-[A-Za-z0-9-]{8,255}',
    '(?<=hooks\\.slack\\.com/(?:services|workflows|triggers)/)[\\w/-]{8,255}',
    '(?<=discord(?:app)?\\.com/api/webhooks/)[\\w/-]{8,255}',
    // Stripe.
    '(?<![A-Za-z0-9])(?:[rs]k_(?:live|test|prod)|whsec)_[A-Za-z0-9]{10,255}',
    // Google.
    '(?<![\\w-])AIza[\\w-]{30,64}',
    '(?<![\\w-])ya29\\.[\\w-]{16,}',
    '(?<![\\w-])GOCSPX-[\\w-]{16,64}',
    // npm, PyPI, Docker Hub, SendGrid, Vault, OpenAI-like, Grafana, DigitalOcean, age, Terraform Cloud, Twilio.
    '(?<![A-Za-z0-9])npm_[A-Za-z0-9]{20,255}',
    '(?<![\\w-])pypi-[\\w-]{16,}',
    '(?<![\\w-])dckr_(?:pat|oat)_[\\w-]{16,255}',
    '(?<![\\w.-])SG\\.[\\w-]{16,64}\\.[\\w-]{16,64}',
    '(?<![\\w.-])hv[sbr]\\.[\\w-]{16,}',
    '(?<![\\w-])sk-[\\w-]{20,255}',
    '(?<!\\w)gl(?:sa|c)_[A-Za-z0-9_+/=]{20,255}',
    '(?<!\\w)do[opr]_v1_[a-f0-9]{32,128}',
    '(?<![A-Z0-9-])AGE-SECRET-KEY-1[A-Z0-9]{20,128}',
    '(?<=\\.atlasv1\\.)[\\w=-]{40,128}',
    '(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])',
  ].join('|'),
  'g',
)

/** PEM private keys (RFC 7468): the lines between, also where line feeds are written `\n`, also without an end. */
const PRIVATE_KEY =
  /(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)((?:\\[nr]|[\sA-Za-z0-9+/=:,.@()-](?!-{4}END))*[\sA-Za-z0-9+/=]?)/g

/** Credentials of HTTP (RFC 7617, 6750). */
const SCHEMED = /(?<![A-Za-z])(bearer|basic|token|negotiate|apikey)([ \t]+)([A-Za-z0-9._~+/=-]{8,})/gi

/** Runs that only randomness writes; hexadecimal digits alone are digests. */
const RUN = /(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{40,}={0,2}/g
const MIN_RUN = 40
const IN_RUN: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9+/_-]/.test(String.fromCharCode(code)),
)
const MIN_ENTROPY = 4.4
/** So much of a run is looked at. */
const ENTROPY_SAMPLE = 512

/** What follows `://`, up to the next URL of a list. */
const AUTHORITY = /(?<=:\/\/)(?:(?!,[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"'`<>]){3,}/gi
/** Of a user and a password before a host. */
const MAX_USER = 512

const PUBLIC_BLOCK = /-----BEGIN (?![A-Z0-9 ]{0,40}PRIVATE)[A-Z0-9 ]{1,40}-----[\sA-Za-z0-9+/=]*/g
/** Base64 of `-----BEGIN `. */
const BASE64_PEM = 'LS0tLS1CRUdJTi'

/** The text with every value gone that is a credential by its own form; `random` also takes long random runs. */
export function redactForms(text: string, mark: Mark, random: boolean): string {
  let result = text
  if (result.includes('PRIVATE KEY')) {
    result = result.replace(PRIVATE_KEY, (whole, begin: string, body: string) =>
      redactedBody(whole, begin, body, mark),
    )
  }
  result = result.replace(FORMS, mark)
  if (result.includes('@')) result = redactUserInfo(result, mark)
  result = result.replace(SCHEMED, (whole, scheme: string, space: string, value: string) =>
    isCredentialOf(scheme.toLowerCase(), value) ? scheme + space + mark(value) : whole,
  )
  return random && result.length >= MIN_RUN ? redactRandom(result, mark) : result
}

function redactedBody(whole: string, begin: string, body: string, mark: Mark): string {
  const value = body.trim()
  if (value === '' || /^(?:\\[nr])*redacted:[0-9a-f]{0,16}(?:\\[nr])*$/.test(value)) return whole
  const start = body.indexOf(value)
  return begin + body.slice(0, start) + mark(value) + body.slice(start + value.length)
}

function isCredentialOf(scheme: string, value: string): boolean {
  if (isRedacted(value)) return false
  if (scheme === 'basic') return Buffer.from(value, 'base64').includes(':')
  // "Bearer authentication" is prose.
  return value.length >= 20 || /[^a-z-]/.test(value)
}

/** `scheme://user:password@host` (RFC 3986 section 3.2.1), and the form of Go's drivers, `user:password@tcp(host)`. */
function redactUserInfo(text: string, mark: Mark): string {
  const result = text.replace(AUTHORITY, (rest) => redactAuthority(rest, mark))
  return /@(?:tcp6?|unix)\(/.test(result) ? redactDriverNames(result, mark) : result
}

function redactDriverNames(text: string, mark: Mark): string {
  let result = ''
  let copied = 0
  for (const { index } of text.matchAll(/@(?:tcp6?|unix)\(/g)) {
    const [user = ''] = /[^\s"'`]*$/.exec(text.slice(Math.max(copied, index - MAX_USER), index)) ?? []
    const value = user.slice(user.indexOf(':') + 1)
    if (!user.includes(':') || value === '' || isRedacted(value) || isReference(value)) continue
    result += text.slice(copied, index - value.length) + mark(value)
    copied = index
  }
  return result + text.slice(copied)
}

function redactAuthority(rest: string, mark: Mark): string {
  const slash = rest.search(/[/?#]/)
  let end = rest.slice(0, slash < 0 ? undefined : slash).lastIndexOf('@')
  if (end < 0) {
    // A password may hold a slash where nobody looks; a port and a path with an at sign are no password.
    if (/^[^/?#]*:\d{1,5}(?:[/?#]|$)/.test(rest) || !/^[^/?#:]*:/.test(rest)) return rest
    end = rest.indexOf('@')
    if (end < 0) return rest
  }
  const user = rest.slice(0, end)
  const colon = user.indexOf(':')
  const value = user.slice(colon + 1)
  // A user alone is a token where no person is called so.
  if (value === '' || isRedacted(value) || isReference(value) || (colon < 0 && value.length < 20)) return rest
  return user.slice(0, colon + 1) + mark(value) + rest.slice(end)
}

function redactRandom(text: string, mark: Mark): string {
  const covered: [number, number][] = []
  if (text.includes('-----BEGIN ')) {
    for (const { index, 0: found } of text.matchAll(PUBLIC_BLOCK)) covered.push([index, index + found.length])
  }
  return text.replace(RUN, (run, at: number) =>
    isRandom(run) && !covered.some(([start, end]) => at >= start && at < end) ? mark(run) : run,
  )
}

/** Whether a text holds a run that is long enough to be looked at. */
export function hasLongRun(text: string): boolean {
  let run = 0
  for (let i = 0; i < text.length; i++) {
    run = IN_RUN[text.charCodeAt(i)] ? run + 1 : 0
    if (run === MIN_RUN) return true
  }
  return false
}

function isRandom(run: string): boolean {
  if (run.startsWith(BASE64_PEM)) return Buffer.from(run.slice(0, 64), 'base64').includes('PRIVATE')
  // Keys of SSH begin with their length and type: public.
  if (run.startsWith('AAAA')) return false
  if (!/[a-z]/.test(run) || !/[A-Z]/.test(run) || !/\d/.test(run)) return false
  return entropy(run.slice(0, ENTROPY_SAMPLE)) >= MIN_ENTROPY
}

/** Shannon's entropy in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** What stands for a value that is elsewhere, and what is no value: `$(NAME)`, `${NAME}`, `{{ .x }}`, `true`. */
export function isReference(value: string): boolean {
  return /^(?:|\$\(\w+\)|\$\{\w+\}|\$[A-Za-z_]\w*|%\w+%|\{\{[^{}]*\}\}|<[\w ./-]*>|true|false|null|nil|none|yes|no|on|off|~)$/i.test(
    value,
  )
}
