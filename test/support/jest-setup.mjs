// CommonJS packages that require() Nest meet a half-loaded module unless Nest is loaded first.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
