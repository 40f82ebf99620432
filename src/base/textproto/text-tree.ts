import type { TextPlace } from './text-error.ts';

/** A message in protobuf's text format, as it is written: nothing is known of its types yet. */
export interface TextMessage {
  readonly type: 'message';
  readonly fields: readonly TextField[];
  readonly at: TextPlace;
}

export interface TextField {
  /** Without brackets: `com.example.field` of an extension, `type.googleapis.com/com.example.Type` of an Any. */
  readonly name: string;
  readonly kind: 'field' | 'extension' | 'any';
  readonly value: TextValue | TextList;
  readonly at: TextPlace;
}

export interface TextList {
  readonly type: 'list';
  readonly items: readonly TextValue[];
  readonly at: TextPlace;
}

export type TextValue = TextMessage | TextNumber | TextString | TextWord;

export interface TextNumber {
  readonly type: 'number';
  readonly format: 'decimal' | 'octal' | 'hexadecimal' | 'float';
  /** As written, without its sign: `10`, `017`, `0x1F`, `1.5e3f`. */
  readonly text: string;
  readonly negative: boolean;
  readonly at: TextPlace;
}

export interface TextString {
  readonly type: 'string';
  /** Escapes resolved, parts joined; UTF-8 but for what byte escapes made of it. */
  readonly bytes: Uint8Array;
  readonly at: TextPlace;
}

/** An identifier as a value: `true`, `inf`, the name of an enum's value. */
export interface TextWord {
  readonly type: 'word';
  readonly text: string;
  /** `-inf`. */
  readonly negative: boolean;
  readonly at: TextPlace;
}
