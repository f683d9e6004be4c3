import { answerCalls } from '../../../../support/calls/answer-calls.ts';
import { measureHere } from '../../calibration/measure-here.ts';
import { THIS_NODE } from '../machine.ts';

answerCalls(measureHere(THIS_NODE), ['makeBase', 'measure'], {
  send: (message) => process.send?.(message),
  onMessage: (listener) => void process.on('message', listener),
});
// Ctrl-C reaches both processes. This process ignores it, and the parent ends it.
process.on('SIGINT', () => {});
// The parent process has ended.
process.once('disconnect', () => process.exit());
