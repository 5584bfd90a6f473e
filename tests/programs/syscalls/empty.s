// So that Go accepts declarations without a body.
