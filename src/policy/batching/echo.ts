/** Of those who were answered, this part is waited for. */
const MOST = 0.98;
const STEP = 0.2;
const MEMORY = 32;
/** Answers come back this much sooner than rows come on the whole, or they are no echo. */
const SOONER = 1.4;
/** Those who are not back after this many times the usual have left. */
const GIVEN_UP = 4;

/** Closed loops: clients that ask again as soon as they are answered. */
export interface Echo {
  arrived(nowNs: number, rows: number): void;
  answered(nowNs: number, rows: number): void;
  /**
   * Time from now by which those rows that were answered last have come back, with new ones; 0: all are back.
   */
  leftNs(nowNs: number): number;
  owedRows(): number;
  /** Rows come because others were answered: none but those who are owed is to be expected. */
  isHeard(rowsPerNs: number): boolean;
}

/**
 * Learns how long after its answer a row comes back: the 98th percentile, by multiplicative steps as in
 * `createRunTimes`. Rows that come count as those who are owed. That says nothing where they come anyway: so many
 * would have come after a certain time without any answer, and only where they come in clearly less of that
 * time is it an echo.
 */
export function createEcho(): Echo {
  let answersNs = Number.NaN;
  let owed = 0;
  let usualNs = 0;
  let meanRows = 1;

  return {
    arrived(nowNs, rows) {
      if (!(owed > 0)) return;
      const afterNs = Math.max(1, nowNs - answersNs);
      if (usualNs === 0) usualNs = afterNs;
      else usualNs *= afterNs > usualNs ? 1 + STEP * MOST : 1 - STEP * (1 - MOST);
      owed = Math.max(0, owed - rows);
    },
    answered(nowNs, rows) {
      const isLeft = owed > 0 && nowNs - answersNs > GIVEN_UP * usualNs;
      owed = (isLeft ? 0 : owed) + rows;
      meanRows += (rows - meanRows) / MEMORY;
      answersNs = nowNs;
    },
    owedRows: () => owed,
    leftNs: (nowNs) => (owed === 0 ? 0 : Math.max(0, answersNs + usualNs - nowNs)),
    isHeard: (rowsPerNs) => usualNs > 0 && usualNs * rowsPerNs * SOONER < meanRows,
  };
}
