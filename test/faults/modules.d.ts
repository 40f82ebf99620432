declare module '*/fault-proxy.mjs' {
  export interface PipeFaults {
    readonly latencyMs?: number;
    readonly jitterMs?: number;
    readonly bytesPerSecond?: number;
    readonly sliceBytes?: number;
    readonly corruptShare?: number;
    readonly limitBytes?: number;
    readonly slowCloseMs?: number;
    readonly isSilent?: boolean;
    readonly isHalfOpen?: boolean;
  }
  export interface FaultProxy {
    readonly port: number;
    readonly accepted: number;
    readonly open: number;
    set(faults: {
      readonly up?: PipeFaults;
      readonly down?: PipeFaults;
      readonly resetAfterMs?: number;
      readonly closeAfterMs?: number;
      readonly share?: number;
    }): void;
    resetAll(): void;
    down(): void;
    up(): void;
    stop(): Promise<void>;
  }
  export function startFaultProxy(options: {
    readonly targetPort: number;
    readonly seed?: number;
  }): Promise<FaultProxy>;
}
