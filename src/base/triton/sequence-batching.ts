import {
  BOOL,
  choice,
  enumType,
  FLOAT,
  INT32,
  INT64,
  many,
  messageType,
  one,
  STRING,
  UINT64,
} from '../textproto/schema.ts';
import { DATA_TYPE } from './data-type.ts';

const CONTROL = messageType('ModelSequenceBatching.Control', {
  kind: one(
    enumType('ModelSequenceBatching.Control.Kind', [
      'CONTROL_SEQUENCE_START',
      'CONTROL_SEQUENCE_READY',
      'CONTROL_SEQUENCE_END',
      'CONTROL_SEQUENCE_CORRID',
    ]),
  ),
  int32_false_true: many(INT32),
  fp32_false_true: many(FLOAT),
  bool_false_true: many(BOOL),
  data_type: one(DATA_TYPE),
});

const INITIAL_STATE = messageType('ModelSequenceBatching.InitialState', {
  data_type: one(DATA_TYPE),
  dims: many(INT64),
  zero_data: choice('state_data', BOOL),
  data_file: choice('state_data', STRING),
  name: one(STRING),
});

/** `ModelSequenceBatching` of model_config.proto. */
export const MODEL_SEQUENCE_BATCHING = messageType('ModelSequenceBatching', {
  max_sequence_idle_microseconds: one(UINT64),
  control_input: many(
    messageType('ModelSequenceBatching.ControlInput', { name: one(STRING), control: many(CONTROL) }),
  ),
  direct: choice(
    'strategy_choice',
    messageType('ModelSequenceBatching.StrategyDirect', {
      max_queue_delay_microseconds: one(UINT64),
      minimum_slot_utilization: one(FLOAT),
    }),
  ),
  oldest: choice(
    'strategy_choice',
    messageType('ModelSequenceBatching.StrategyOldest', {
      max_candidate_sequences: one(INT32),
      preferred_batch_size: many(INT32),
      max_queue_delay_microseconds: one(UINT64),
      preserve_ordering: one(BOOL),
    }),
  ),
  state: many(
    messageType('ModelSequenceBatching.State', {
      input_name: one(STRING),
      output_name: one(STRING),
      data_type: one(DATA_TYPE),
      dims: many(INT64),
      initial_state: many(INITIAL_STATE),
      use_same_buffer_for_input_output: one(BOOL),
      use_growable_memory: one(BOOL),
    }),
  ),
  iterative_sequence: one(BOOL),
});
