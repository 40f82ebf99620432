type WithoutUnset<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** A setting that is not set is not there: what takes it knows its own default. */
export function withoutUnset<T extends object>(settings: T): WithoutUnset<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as WithoutUnset<T>;
}
