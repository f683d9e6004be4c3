import type { Remote } from '../../src/support/calls/caller.ts';
import type { Desk } from './desk.ts';

/** The desk as the page's thread sees it. */
export type RemoteDesk = Remote<Desk>;

/** The names of the desk's methods. */
export const DESK_METHODS = [
  'open',
  'models',
  'checkModel',
  'thumbnail',
  'choose',
  'train',
  'kept',
  'resume',
  'discard',
  'stop',
  'predict',
  'search',
  'adapter',
  'onnx',
  'keptLabels',
  'beginLabels',
  'label',
  'labelPicture',
  'labeled',
  'labeledFiles',
  'discardLabels',
] as const satisfies readonly (keyof Desk)[];
