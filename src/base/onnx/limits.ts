/**
 * Bounds on what a model file may ask of the reader. They stand far above real models and keep time and memory
 * in proportion to the file, whatever its bytes say.
 */
export const LIMITS = {
  /** Messages inside messages; as deep as protobuf's own parser goes. */
  depth: 100,
  nodes: 10_000_000,
  /** Inputs of one node, and outputs. */
  nodeEnds: 1_000_000,
  /** Bytes of one text: a name, a description, a metadata value. */
  textBytes: 64 * 2 ** 20,
  /** Bytes of all that is kept in memory: names of values and tables, metadata, dimensions. */
  keptBytes: 128 * 2 ** 20,
  /** Fields of all messages; of messages inside others, some more are charged. */
  fields: 2 ** 27,
  rank: 1024,
  /** Problems listed; more would not be read. */
  problems: 100,
  externalFiles: 100_000,
} as const;
