// Loaded before the program (NODE_OPTIONS=--import): ends it like kill -9, directly before the file operation with
// the number DIE_AT (from 1) among those that change the disk.
import { dieAt } from './mortal-disk.mjs';

dieAt(Number(process.env.DIE_AT));
