require('./index.js').wait()
