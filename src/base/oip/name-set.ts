/** Most objects have fewer members than this, and looking through so few takes less time than one hash. */
const FEW = 8;

/** Names that must be unique. */
export class NameSet {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  get size(): number {
    return this.#many?.size ?? this.#few.length;
  }

  /** Adds `name`, unless it is there already: then false. */
  add(name: string): boolean {
    if (this.#many === undefined) {
      if (this.#few.includes(name)) return false;
      if (this.#few.length < FEW) {
        this.#few.push(name);
        return true;
      }
      this.#many = new Set(this.#few);
    }
    if (this.#many.has(name)) return false;
    this.#many.add(name);
    return true;
  }
}
