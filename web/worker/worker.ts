import './without-eval.ts';

import { expose } from 'comlink';
import { Desk } from './desk.ts';

expose(new Desk(new URL('./', import.meta.url)));
