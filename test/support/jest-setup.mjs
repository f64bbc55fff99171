// Unless Nest is loaded first, CommonJS packages that require() Nest get a half-loaded module.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
