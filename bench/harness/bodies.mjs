/** The Open Inference Protocol's JSON request, the same bytes for every server. */
export function jsonBody({ inputs }) {
  const tensors = inputs.map(({ name, datatype, shape, data, text }) => {
    const elements = Array.from(data, (_, index) => text(index)).join(',');
    return `{"name":"${name}","datatype":"${datatype}","shape":[${shape}],"data":[${elements}]}`;
  });
  return Buffer.from(`{"inputs":[${tensors.join(',')}]}`);
}

/** The inputs' elements one after another, nothing else: the least that the peers can be sent. */
export function bareBody({ inputs }) {
  return Buffer.concat(inputs.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
}

/** The protocol with Triton's binary tensor data extension, both ways. */
export function binaryBody(model) {
  const inputs = model.inputs.map(({ name, datatype, shape, data }) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: data.byteLength },
  }));
  const header = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return { body: Buffer.concat([header, bareBody(model)]), headerLength: header.length };
}
