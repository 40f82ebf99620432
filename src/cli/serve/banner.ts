import type { ServedModel } from '../../registry/contract.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';
import type { FirstCall } from './first-call.ts';

export interface BannerModel {
  readonly served: ServedModel;
  readonly call: FirstCall | undefined;
}

export interface BannerOptions {
  readonly version: string;
  /** As in `FirstCallOptions`. */
  readonly curl: string;
  readonly url: string;
  readonly metricsUrl: string | undefined;
  readonly grpcAddress: string | undefined;
  readonly models: readonly BannerModel[];
  readonly style: Style;
}

const LONGEST_ANSWER = 700;

/** What is served, where, and a first call for each model, ready to be pasted. */
export function renderBanner({
  version,
  curl,
  url,
  metricsUrl,
  grpcAddress,
  models,
  style,
}: BannerOptions): string {
  const { bold, dim } = style;
  const count = models.length === 1 ? '1 model' : `${models.length} models`;
  const blocks = models.map(({ served, call }) => {
    const heading = `${bold(printable(served.name))} ${dim(`version ${printable(served.version)}`)}`;
    const metadata = `${url}/v2/models/${encodeURIComponent(served.name)}`;
    const lines =
      call === undefined
        ? [
            `${curl} ${metadata}`,
            dim('tells what it takes; no request could be made up that is short enough'),
          ]
        : [call.command, `${dim('->')} ${shorten(call.answer)}`];
    return `${heading}\n${lines.map((line) => `  ${line}\n`).join('')}`;
  });
  const addresses = [
    `docs     ${url}/docs`,
    ...(grpcAddress === undefined ? [] : [`grpc     ${grpcAddress}`]),
    ...(metricsUrl === undefined ? [] : [`metrics  ${metricsUrl}/metrics`]),
    dim('Ctrl-C ends the server: running requests finish first.'),
  ];
  const head = `${bold(`nimify ${version}`)} serves ${count} at ${bold(url)}`;
  return `\n${[head, ...blocks.map((text) => text.trimEnd()), addresses.join('\n')].join('\n\n')}\n\n`;
}

function shorten(answer: string): string {
  if (answer.length <= LONGEST_ANSWER) return answer;
  return `${answer.slice(0, LONGEST_ANSWER)}... (${answer.length} characters)`;
}
