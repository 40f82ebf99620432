/** Loads a model into this process and asks it one question. */
import { createContext, createInferRequest, loadModel, toBytesData, toStrings } from 'nimify';

/** The language code of a text, such as `fr`. `path` is the demo model `langid`. */
export async function detectLanguage(path: string, text: string): Promise<string> {
  const { name, model } = await loadModel(path);
  try {
    const request = createInferRequest({
      model: name,
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: toBytesData([text]) }],
      outputs: ['label'],
    });
    const { outputs, owner } = await model.infer(request, createContext());
    const [label] = outputs;
    if (label?.datatype !== 'BYTES' || ArrayBuffer.isView(label.data))
      throw new TypeError('label is no text');
    const [code = ''] = toStrings(label.data);
    owner.release();
    return code;
  } finally {
    await model.close({ graceMs: 1000 });
  }
}
