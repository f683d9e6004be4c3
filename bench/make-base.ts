import { withBaseDtype } from '../src/bases/node/with-base-dtype.ts';
import { openModel } from '../src/trained/node/load-model.ts';
import { TWO_CLASSES } from './two-classes.ts';

/* node make-base.js MODEL: makes the int8 copy of an encoder's base in the cache, if it is not there. */

const [, , folder] = process.argv;
(await withBaseDtype(openModel(folder, TWO_CLASSES), 'int8')).close();
