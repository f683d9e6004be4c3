import { writeTinyData } from '../../tests/support/tiny-data.ts';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';

/*
 * tsx tiny.ts FOLDER
 *
 * Writes the tests' small model and data, for check-adapterhub.sh.
 */

const [folder] = process.argv.slice(2);
writeTinyModel(`${folder}/model`);
writeTinyData(`${folder}/train.tsv`, 160, 1);
writeTinyData(`${folder}/dev.tsv`, 48, 2);
