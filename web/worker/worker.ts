import './without-eval.ts';

import { answerCalls } from '../../src/support/calls/answer-calls.ts';
import { createPort } from '../data/module-worker.ts';
import { Desk } from './desk.ts';
import { DESK_METHODS } from './desk-methods.ts';

answerCalls(new Desk(new URL('./', import.meta.url)), DESK_METHODS, createPort(globalThis));
