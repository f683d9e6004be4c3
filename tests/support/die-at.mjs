// Load it before the program (NODE_OPTIONS=--import). It counts file operations that change the disk, from 1, and ends
// the program like kill -9 directly before operation DIE_AT.
import { dieAt } from './mortal-disk.mjs';

dieAt(Number(process.env.DIE_AT));
