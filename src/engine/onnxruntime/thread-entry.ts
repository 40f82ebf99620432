import { serveThread } from '../host/serve-thread.ts';
import { openOrtSession } from './session.ts';

void serveThread(openOrtSession);
