/** What a name says of the value that it is given: a credential, something public, or nothing. */
export type NameVerdict = 'credential' | 'public' | 'unknown'

/** Longer names are judged by their end, where what they are is said. */
const MAX_NAME = 128

const CREDENTIAL = new RegExp(
  [
    'passw(?:or)?d',
    'passphrase',
    'passcode',
    '(?<!by|com|tres|over|under)pass(?=-|\\d*$)',
    'pwd',
    'secret(?!ar)',
    'token(?!i[sz])',
    'credential',
    '(?:^|-)creds?(?=-|$)',
    'api-?key',
    '(?:access|account|app|decryption|encryption|encrypt|hmac|licen[cs]e|master|private|service|session|shared|signing|ssh|storage|webhook)-?key',
    'connection-?string',
    'conn-?str',
    '(?:^|-)dsn(?=-|$)',
    '(?:^|-)(?:auth|sig|pat|jwt|jwk|otp|mnemonic|cookie)$',
    'master-?auth',
    'authorization',
    'bearer',
    'netrc',
    'docker-?cfg',
    'docker-?config-?json',
    'key-?store$',
  ].join('|'),
)

/** What a credential's name ends with where only its place or its properties are told. */
const REFERENCE = new RegExp(
  `(?:^|-)(?:${[
    'names?|refs?|references?|paths?|files?|filenames?|dirs?|directory|folder|mounts?|volumes?|location',
    'urls?|uris?|endpoints?|hosts?|ports?|addr|address|domain|issuer|audiences?|server|service|provider|reviewer',
    'ttl|seconds|secs|minutes|hours|days|ms|duration|lifetime|expir(?:y|es|ation|ed)|timeout|age|interval|period|time',
    'length|size|min|max|count|limits?|iterations|rounds|version|revision|generation',
    'types?|kind|class|algorithm|alg|policy|mode|method|format|encoding|scopes?|strategy|source|store|backend',
    'manager|controller|operator|driver|selector|namespace|labels?|annotations?|headers?|field|prefix|suffix',
    'enabled?|disabled?|required?|rotation|rotate|refresh|key-id|password-key|token-key|secrets?-store|requests?',
    '(?:existing|pull|tls|ca|cert|certificate)-secrets?',
  ].join('|')})\\d*$`,
)

/** `MAX_TOKENS` is a number of words. */
const QUANTITY = /^(?:max|min|num|total|count|limit)-(?:.*-)?tokens?$/

/** What is meant to be known, however random it looks. */
const PUBLIC =
  /(?:^|-)(?:ca|cas|ca-?bundle|ca-?data|certs?|crt|certificates?|chain|public-?key|pub-?key|pubkey|digest|checksum|hash|md5|sha-?\d*|fingerprint|thumbprint|etag|uid|uuid|modulus|jwks|image)(?:-|$)/

const FILE_EXTENSION = /\.(?:ya?ml|json|conf|config|cfg|cnf|ini|properties|env|toml|xml|txt|sh|tpl|tmpl)$/i

/** Judges a name of a variable, a key or a flag, however its words are joined: `DB_PASSWORD`, `apiKey`, `db.pass-word`. */
export function judgeName(name: string): NameVerdict {
  const words = wordsOf(name)
  if (CREDENTIAL.test(words) && !REFERENCE.test(words) && !QUANTITY.test(words)) return 'credential'
  return PUBLIC.test(words) ? 'public' : 'unknown'
}

/** Lower-case words joined by hyphens, without the extension of a file. */
function wordsOf(name: string): string {
  return name
    .slice(-MAX_NAME)
    .replace(FILE_EXTENSION, '')
    .replace(/([a-z0-9])(?=[A-Z])/g, '$1-')
    .replace(/([A-Z])(?=[A-Z][a-z])/g, '$1-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}
