"""An offline Alpaca: the simulated exchange over HTTP and WebSocket, on 127.0.0.1 only."""
