/** Configs of the paper's experiments and of other models. */

export { type Budgets, parseBudgets, parseRecipe, type Recipe } from './recipe.ts';
export { type RecipeChoice, recipeConfig } from './recipe-config.ts';
