import type { RequestInstruments } from '../../base/telemetry/request-instruments.ts';
import type { SloLedger } from './contract.ts';

/** Tells the ledger of every request, whichever protocol it came by. */
export function countRequests(
  inner: RequestInstruments,
  ledger: Pick<SloLedger, 'count'>,
): RequestInstruments {
  return {
    begin: () => inner.begin(),
    end(outcome) {
      inner.end(outcome);
      ledger.count(outcome);
    },
  };
}
