// Loaded before the program (NODE_OPTIONS=--import): ends it as kill -9 does, at the moment before the file operation
// with the number DIE_AT (from 1) among those that change something on disk.
import { dieAt } from './mortal-disk.mjs';

dieAt(Number(process.env.DIE_AT));
