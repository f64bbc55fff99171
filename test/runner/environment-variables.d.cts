declare function setVariables(variables: Readonly<Record<string, string>>): () => void;
export = setVariables;
