/** Experiments of the paper, and recipes of other models, as configs. */

export { type Budgets, parseBudgets, parseRecipe, type Recipe } from './recipe.ts';
export { type RecipeChoice, recipeConfig } from './recipe-config.ts';
