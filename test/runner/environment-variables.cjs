/**
 * Sets a project's environment variables for one test file. The tests see the worker process's own `process.env`, and
 * the worker runs files of every project: what a file leaves there would change the next ones.
 * @param {Record<string, string>} variables
 * @returns {() => void} puts everything back as it was
 */
module.exports = function setVariables(variables) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  };
};
