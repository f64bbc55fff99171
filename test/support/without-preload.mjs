// A second run of tests that programs must pass both with and without a preloaded interpreter (jest.config.mjs).
process.env.TEST_PRELOAD = 'off';
