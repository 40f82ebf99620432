import { NimifyError } from '../../base/errors/nimify-error.ts';
import { serveProcess } from '../host/serve-process.ts';
import { openOrtSession } from './session.ts';

void serveProcess({
  platform: 'onnxruntime_onnx',
  open: openOrtSession,
  // The texts by which native-errors.ts tells it, too.
  isOutOfMemory: (failure) =>
    failure instanceof NimifyError &&
    /ailed to allocate memory|bad_alloc|bad allocation/.test(String(failure.cause)),
});
