import { Command } from 'commander';
import { PYTHON_FLAG, toNames, toPositive } from './flag-values.ts';
import type { ImageFlagTexts } from './image/image-flags.ts';
import { runCommand } from './run-command.ts';
import { styleFor } from './style.ts';
import { withProgress } from './with-progress.ts';

interface PredictFlags extends ImageFlagTexts {
  readonly model?: string;
  readonly outputs?: readonly string[];
  readonly top?: number;
  readonly timeoutMs?: number;
  readonly python?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Inputs:
  X=[[5.1,3.5,1.4,0.2]]   JSON; lists of numbers may go without brackets, texts without quotes
  X=@rows.json            JSON from a file, or X=@- from standard input
  X=@rows.npy             what NumPy's save wrote
  X=@photo.jpg            a picture; what is assumed about its preparation is printed
  The name may be left out where the model takes one input, or for a JSON object of values by name.
  Given several times, an input gets the values as rows.

Examples:
  $ nimify predict langid.onnx "guten Morgen"
  $ nimify predict http://127.0.0.1:8000 --model iris X=5.1,3.5,1.4,0.2
  $ nimify predict squeezenet.onnx @goldfish.jpg --color bgr --scale 1
`;

export function predictCommand(): Command {
  return new Command('predict')
    .description('ask a model on a server, or a model file, for a prediction')
    .argument('<target>', 'address of a server (http://host:port), or a model file or Python function')
    .argument('[inputs...]', 'name=VALUE or name=@FILE, see below')
    .option('--model <name>', 'which model, where a server serves several')
    .option('--outputs <names>', 'only these outputs, with commas between', toNames)
    .option('--top <count>', 'show this many of the best classes', toPositive)
    .option('--timeout-ms <ms>', 'longest time to wait for the answer (default: 30000)', toPositive)
    .option(...PYTHON_FLAG)
    .option('--json', 'print the answer as the Open Inference Protocol has it')
    .optionsGroup('How pictures are prepared:')
    .option('--layout <layout>', 'nchw or nhwc: channels before height and width, or after')
    .option('--color <order>', 'rgb, bgr or grey')
    .option('--size <WxH>', 'pixels that the model takes, such as 224x224')
    .option('--fit <fit>', 'crop (keep proportions, cut the middle out), stretch or contain (black around)')
    .option('--scale <factor>', 'factor on pixel values 0..255, such as 1 or 1/255')
    .option('--mean <numbers>', 'subtracted after scaling: one number, or one a channel')
    .option('--std <numbers>', 'divisor after that: one number, or one a channel')
    .addHelpText('after', EXAMPLES)
    .action((target: string, inputs: readonly string[], flags: PredictFlags) =>
      runCommand(flags, () => predict(target, inputs, flags)),
    );
}

async function predict(address: string, args: readonly string[], flags: PredictFlags): Promise<number> {
  const [{ openTarget }, { readInputs }, { readImageFlags }] = await Promise.all([
    import('./predict/open-target.ts'),
    import('./predict/read-inputs.ts'),
    import('./image/image-flags.ts'),
  ]);
  const flagHints = readImageFlags(flags);
  const target = await withProgress('opening', openTarget(address, flags));
  try {
    const inputs = await readInputs(args, {
      specs: target.inputs,
      imageHints: [flagHints, ...target.imageHints],
      note: (line) => process.stderr.write(`${styleFor(process.stderr).dim(line)}\n`),
    });
    const prediction = await withProgress('waiting', target.infer(inputs, flags.outputs));
    if (flags.json) {
      const { encodeInferResponse } = await import('../base/oip/encode.ts');
      const { chunks } = encodeInferResponse({ ...prediction, id: '', parameters: {} }, () => false);
      for (const chunk of chunks) process.stdout.write(chunk);
      process.stdout.write('\n');
      return 0;
    }
    const { renderTable } = await import('./predict/render-table.ts');
    process.stdout.write(
      renderTable(prediction, {
        labels: target.labels,
        style: styleFor(process.stdout),
        ...(flags.top === undefined ? {} : { top: flags.top }),
      }),
    );
    return 0;
  } finally {
    await target.close();
  }
}
