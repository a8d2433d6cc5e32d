/** Bytes that requests may hold at once, over all of them and of each address. */
export class BodyBudget {
  readonly #total: number
  readonly #ofAddress: number
  readonly #held = new Map<string, number>()
  #used = 0

  constructor(limits: { readonly total: number; readonly ofAddress: number }) {
    this.#total = limits.total
    this.#ofAddress = limits.ofAddress
  }

  /** What is held now. */
  get used(): number {
    return this.#used
  }

  /** Whether an address may hold so many more; they are counted then. */
  take(address: string, bytes: number): boolean {
    const held = this.#held.get(address) ?? 0
    if (this.#used + bytes > this.#total || held + bytes > this.#ofAddress) return false
    this.#used += bytes
    this.#held.set(address, held + bytes)
    return true
  }

  /** Gives back what was taken. */
  give(address: string, bytes: number): void {
    const left = (this.#held.get(address) ?? 0) - bytes
    this.#used -= bytes
    if (left > 0) this.#held.set(address, left)
    else this.#held.delete(address)
  }
}
