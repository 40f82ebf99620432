export const ROOT: string;
export function setUp(): Promise<void>;
export function install(): void;
export function build(options?: { tolerant?: boolean }): void;
export function orExplain<T>(step: () => T | Promise<T>): Promise<T>;
