"""The same rpcs over HTTP, for browsers and curl: the Connect protocol, as bytes or JSON. Loaded when first asked.

```
request ─► Door: is it a call of this contract? ─► connectrpc ─► Admission: before its message is read
                                                       └─► Method: message in ─► interceptor ─► handler ─► message out
```
"""
